"""Reading the files of the contract strictly: every fault with its file, its line and its remedy."""
