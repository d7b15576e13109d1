"""The page in a browser and the API over HTTP: `samaf serve`."""
