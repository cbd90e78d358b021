"""Documents that a force signs with its own key, so that whoever receives one can tell whose it is."""
