-- ARGV: path, session, row, kernel
-- Returns {row it has now or '', whether this call put it back}.
local row = redis.call('HGET', rows, ARGV[2])
if row then return {row, 0} end
if at_path(ARGV[1]) or is_left_over(ARGV[4]) then return {'', 0} end
local standing = claimant(ARGV[1])
if standing and standing ~= ARGV[2] then return {'', 0} end
write(ARGV[2], ARGV[1], ARGV[3])
return {ARGV[3], 1}
