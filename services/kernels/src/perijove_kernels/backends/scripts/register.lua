-- ARGV: lost_after, runner, row, specs, stream, revision, count, drain or '', (kernel, revision, user, row)...
local runner, revision, count = ARGV[2], ARGV[6], tonumber(ARGV[7])
local announced = {}
for at = 9, 8 + 4 * count, 4 do announced[ARGV[at]] = true end

-- A runner whose numbers fell has lost its own state (or its clock): what it says
-- now cannot be compared with what it said before, and stands alone.
local before = redis.call('HGET', runners, runner)
local anew = before and tonumber(revision) < tonumber(cjson.decode(before).revision)

for kernel, held in pairs(owned_by(runner)) do
  if anew or (not announced[kernel] and held <= tonumber(revision)) then
    drop(kernel, revision, '0', '')
    if announced[kernel] then redis.call('HDEL', gone, kernel) end
  end
end
redis.call('HSET', runners, runner, ARGV[3])
redis.call('HSET', specs, runner, ARGV[4])
set_drain(runner, ARGV[8])
redis.call('ZADD', seen, now, runner)
redis.call('HSET', streams, runner, ARGV[5] .. ' ' .. (redis.call('HGET', meta, 'run') or ''))
return put_all(runner, 9, count)
