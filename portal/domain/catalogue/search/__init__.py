"""Search of modules, lessons, guides and the glossary, as their readers see them."""
