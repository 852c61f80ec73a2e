-- ARGV: feed, number
-- Returns {last number, sessions gone, rows of the others}, or nothing if it is not
-- known what has changed since.
local most = 2000
local name, last = position()
local since = tonumber(ARGV[2])
if name ~= ARGV[1] or since > tonumber(last) then return {} end
local ended, changed = {}, {}
if since < tonumber(last) then
  local first = redis.call('XRANGE', feed, '-', '+', 'COUNT', 1)[1]
  if not first or since < tonumber(first[1]:match('^%d+')) then return {} end
  local entries = redis.call('XRANGE', feed, '(' .. ARGV[2] .. '-0', '+', 'COUNT', most)
  if #entries == most then return {} end
  local looked_at = {}
  for _, entry in ipairs(entries) do
    local session = entry[2][2]
    if not looked_at[session] then
      looked_at[session] = true
      local row = redis.call('HGET', rows, session)
      if row then changed[#changed + 1] = row else ended[#ended + 1] = session end
    end
  end
end
return { last, ended, changed }
