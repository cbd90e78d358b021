"""Media of drafts: uploads, metadata, titles of drawings and the list of media."""
