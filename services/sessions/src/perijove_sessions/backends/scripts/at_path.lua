-- ARGV: path
local _, row = at_path(ARGV[1])
return row or ''
