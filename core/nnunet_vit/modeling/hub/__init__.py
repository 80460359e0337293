"""The model hub: files of repositories, from the cache or fetched once, by its own client."""
