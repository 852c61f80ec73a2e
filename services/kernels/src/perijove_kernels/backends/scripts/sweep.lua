-- ARGV: lost_after, forget_after
-- Another run of the server may have lost the last second, or everything; so may another
-- server that has taken its place.
local run = redis.call('INFO', 'server'):match('run_id:(%w+)')
if redis.call('HGET', meta, 'run') ~= run then
  local since = string.format('%.3f', now)
  redis.call('HSET', meta, 'run', run, 'since', since, 'feed', run .. '-' .. since)
end
if blind() then
  for _, runner in ipairs(redis.call('ZRANGE', seen, 0, -1)) do
    redis.call('ZADD', seen, now, runner)
  end
end
redis.call('HSET', meta, 'swept', string.format('%.3f', now))

local silent_since = now - tonumber(ARGV[2])
local forgotten = redis.call('ZRANGEBYSCORE', seen, '-inf', silent_since)
for _, runner in ipairs(forgotten) do
  forget(runner)
end
for _, kernel in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
  local ticket = cjson.decode(redis.call('HGET', waiting, kernel) or '{"asked":0}')
  if now - ticket.asked > 60 then leave_queue(kernel) end
end
local graves = redis.call('HGETALL', gone)
for at = 1, #graves, 2 do
  local buried, doomed = graves[at + 1]:match('^%S+ (%S+) (%d)$')
  local keep_since = doomed == '1' and now - 86400 or silent_since
  if tonumber(buried) < keep_since then
    redis.call('HDEL', gone, graves[at])
    redis.call('HDEL', ended, graves[at])
  end
end
return forgotten
