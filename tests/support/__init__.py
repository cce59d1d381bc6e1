"""What tests share: behaviors that can be imported, and ways to wait without sleeping."""
