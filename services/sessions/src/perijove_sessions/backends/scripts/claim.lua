-- ARGV: path, session, claim, hold_s, kernel or ''
-- Returns {'ROW', row} or {'CLAIM', claim}.
local session, row = at_path(ARGV[1])
if session then return { 'ROW', row } end
local _, standing = claimant(ARGV[1])
if standing then return { 'CLAIM', standing } end
local expires = string.format('%.3f', now + tonumber(ARGV[4]))
redis.call('HSET', claims, ARGV[1], expires .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
if ARGV[5] ~= '' then redis.call('ZADD', leftovers, expires, ARGV[5]) end
return { 'CLAIM', ARGV[3] }
