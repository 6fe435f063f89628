"""The conductor: what stands between sweeper and launcher, and the policies that act through it."""
