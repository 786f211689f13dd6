local status, s = held(ARGV[BASE], ARGV[BASE + 1])
if status == DONE and s.connected then
    redis.call('HSET', key('session', ARGV[BASE]), 'connected', '0')
    redis.call('ZADD', EXPIRIES, int(now + TTL), ARGV[BASE])
end
return { DONE }
