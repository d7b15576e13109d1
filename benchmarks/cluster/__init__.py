"""Large stores: recall, time and size of the search by cells and votes, here and in ClickHouse."""
