"""Files that other systems put into a folder of this machine are imported by a job."""
