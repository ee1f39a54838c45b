"""Steps that read: each asks one thing of the service, its host or its files, and changes nothing."""
