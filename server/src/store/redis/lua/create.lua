local id, secret, alias, user = ARGV[BASE], ARGV[BASE + 1], ARGV[BASE + 2], ARGV[BASE + 3]
local there = redis.call('HMGET', key('session', id), 'secret', 'first')
if there[1] == secret then return { DONE, tonumber(there[2]) } end
if there[1] then return { UNKNOWN } end
if gone(id) == OVERFLOW then return { OVERFLOW } end
if user and redis.call('SCARD', key('user', user)) >= PER_USER then return { TOO_MANY } end
local epoch = clock[1] * 1000000 + clock[2]
redis.call('HSET', key('session', id), 'secret', secret, 'alias', alias, 'first', int(epoch), 'epoch', int(epoch),
    'connected', '1', 'received', '0', 'sent', '0', 'acked', '0', 'bytes', '0', 'forgotten', '0')
if user then
    redis.call('HSET', key('session', id), 'user', user)
    redis.call('SADD', key('user', user), id)
end
keep(id)
return { DONE, epoch }
