"""What a network does for every size of its input. Loaded where that is asked, or where a spec leaves sizes open."""
