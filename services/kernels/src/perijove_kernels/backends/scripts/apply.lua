-- ARGV: lost_after, runner, stream, specs or '', row, revision, kernel count,
--       drain, '' if there is none, '=' if that has not changed,
--       (kernel, revision, user, row)..., gone kernel...
local runner, revision, count = ARGV[2], ARGV[6], tonumber(ARGV[7])
local speaker = ARGV[3] .. ' ' .. (redis.call('HGET', meta, 'run') or '')
if redis.call('HGET', streams, runner) ~= speaker then return 'REPLACED' end

redis.call('ZADD', seen, now, runner)
if ARGV[4] ~= '' then
  redis.call('HSET', specs, runner, ARGV[4])
  redis.call('HSET', runners, runner, ARGV[5])
end
if ARGV[8] ~= '=' then set_drain(runner, ARGV[8]) end
local strays = put_all(runner, 9, count)
for at = 9 + 4 * count, #ARGV do
  local holder, held = owner_of(ARGV[at])
  if holder == runner and held <= tonumber(revision) then drop(ARGV[at], revision, '0', '') end
end
return strays
