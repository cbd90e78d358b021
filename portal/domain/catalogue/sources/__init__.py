"""Reading and checking of modules, guides and shared files as their authors wrote them."""
