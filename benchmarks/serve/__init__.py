"""How quickly the page and the API of ``samaf serve`` answer."""
