"""The learning portal: dated facts in, a status for any date out."""
