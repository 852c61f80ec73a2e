-- ARGV: path, session, row, kernel
-- Returns whether the session was put back.
if redis.call('HEXISTS', rows, ARGV[2]) == 1 or at_path(ARGV[1]) or is_left_over(ARGV[4]) then
  return 0
end
local standing = claimant(ARGV[1])
if standing and standing ~= ARGV[2] then return 0 end
write(ARGV[2], ARGV[1], ARGV[3])
return 1
