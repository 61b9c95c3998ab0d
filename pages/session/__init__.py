"""Who is looking, in which language, at which snapshot."""
