"""Does a database lose anything, how much does it take, and how much work is it?

``torture`` ends program and server at random moments, ``load`` lets many write and read at
once, ``storage`` measures what a hash takes on disk, ``upkeep`` what an administrator's commands
take. All work on random hashes, on the dialects that are installed (``made``, ``mariadb``).
"""
