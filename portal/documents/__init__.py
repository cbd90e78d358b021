"""Documents for print and file: the portal's texts as tagged PDF."""
