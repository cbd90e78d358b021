"""What every page shares: its frame, its words for numbers and dates, its headers and its errors."""
