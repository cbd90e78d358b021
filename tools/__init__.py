"""Programs for whoever works on this project; the portal neither loads them nor ships with them."""
