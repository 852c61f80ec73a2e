-- ARGV: lost_after, turn, seconds to keep the name, the name wanted or '', names in use
-- Returns the name; '' if somebody has given one back since, or has the one wanted.
if turn_now() ~= tonumber(ARGV[2]) then return '' end
redis.call('ZREMRANGEBYSCORE', names, '-inf', now)
local used = {}
for at = 5, #ARGV do used[ARGV[at]] = true end
local name = ARGV[4]
if name == '' then
  local number = 1
  while used[tostring(number)] or redis.call('ZSCORE', names, tostring(number)) do
    number = number + 1
  end
  name = tostring(number)
elseif redis.call('ZSCORE', names, name) then
  return ''
end
redis.call('ZADD', names, now + tonumber(ARGV[3]), name)
return name
