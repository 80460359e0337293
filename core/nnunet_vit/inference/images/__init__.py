"""Which images are to be predicted: a folder of them, a list, a table, or files one by one."""
