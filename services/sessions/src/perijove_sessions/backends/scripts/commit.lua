-- ARGV: path, session, row, kernel
-- Returns {row or '', whether this call made it}.
local session, row = at_path(ARGV[1])
local standing = claimant(ARGV[1])
if session and session ~= ARGV[2] then return { row, 0 } end
if not session then
  if standing and standing ~= ARGV[2] or is_left_over(ARGV[4]) then return { '', 0 } end
  row = ARGV[3]
  write(ARGV[2], ARGV[1], row)
end
redis.call('HDEL', claims, ARGV[1])
redis.call('ZREM', leftovers, ARGV[4])
-- One that was rebuilt from its kernel meanwhile is this call's work, too.
return { row, (standing or not session) and 1 or 0 }
