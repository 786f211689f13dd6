local id, secret, received = ARGV[BASE], ARGV[BASE + 1], tonumber(ARGV[BASE + 2])
local k = key('session', id)
local s = redis.call('HMGET', k, 'secret', 'alias', 'user', 'epoch', 'received', 'sent', 'acked')
if not s[1] or s[1] ~= secret or tonumber(redis.call('ZSCORE', EXPIRIES, id) or 0) <= now then return { UNKNOWN } end
local sent, acked = tonumber(s[6]), tonumber(s[7])
if received < acked then return { UNKNOWN } end
if received > sent then
    remove_and_report(id)
    finish()
    return { UNKNOWN }
end
-- The time, and not a count: a Redis that lost its last second must not give a lease twice.
local epoch = math.max(s[4] + 1, clock[1] * 1000000 + clock[2])
redis.call('HSET', k, 'epoch', int(epoch), 'connected', '1')
forget(id, { sent = sent, acked = acked }, received)
keep(id)
tell(id)
finish()
return { DONE, epoch, tonumber(s[5]), s[2], s[3] }
