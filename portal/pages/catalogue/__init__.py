"""Pages of the list of modules, the glossary and the sources."""
