def write(out):
    return "x"
