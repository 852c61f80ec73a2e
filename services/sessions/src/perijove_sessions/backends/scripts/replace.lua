-- ARGV: session, row before, row after, path before, path after, kernel before, kernel after
-- Returns 'OK', 'CHANGED' or 'TAKEN'.
local session = ARGV[1]
local row = redis.call('HGET', rows, session)
if row == ARGV[3] then return 'OK' end
if row ~= ARGV[2] then return 'CHANGED' end
if ARGV[4] ~= ARGV[5] then
  if at_path(ARGV[5]) or claimant(ARGV[5]) then return 'TAKEN' end
  redis.call('HDEL', paths, ARGV[4])
end
write(session, ARGV[5], ARGV[3])
if ARGV[6] ~= ARGV[7] then
  redis.call('ZADD', leftovers, now, ARGV[6])
  redis.call('ZREM', leftovers, ARGV[7])
end
return 'OK'
