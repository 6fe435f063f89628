"""What people look at: everything here is computed from the records and can be deleted and made again."""
