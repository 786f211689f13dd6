-- What messages bring about.

-- Into an outbox. Whom it would be too much for is ended.
local function put(id, kind, payload)
    local s = redis.call('HMGET', key('session', id), 'sent', 'acked', 'bytes', 'forgotten')
    if not s[1] then return end
    local bytes = s[3] + #payload
    if s[1] - s[2] >= MOST or bytes - s[4] > MOST_BYTES then
        redis.call('SET', key('overflown', id), int(now + TTL), 'PX', int(TTL))
        remove_and_report(id)
        return
    end
    local sent = int(s[1] + 1)
    redis.call('XADD', key('outbox', id), sent .. '-0', 'kind', kind, 'payload', payload, 'bytes', int(bytes))
    redis.call('HSET', key('session', id), 'sent', sent, 'bytes', int(bytes))
    waiting = waiting + 1
    tell(id)
end

local function broadcast(own, room, flags, kind, payload)
    if string.sub(flags, 2, 2) == '1' and HISTORY > 0 then
        local number = redis.call('HINCRBY', PREFIX .. ':histories', room, 1)
        redis.call('XADD', key('history', room), 'MAXLEN', '=', int(HISTORY), int(number) .. '-0',
            'kind', kind, 'payload', payload, 'at', int(now))
    end
    for _, id in ipairs(redis.call('ZRANGE', key('members', room), 0, -1)) do
        if id ~= own or string.sub(flags, 1, 1) == '1' then put(id, kind, payload) end
    end
end

local function join(own, room)
    if redis.call('EXISTS', key('session', own)) == 0 or redis.call('ZSCORE', key('rooms', own), room) then return end
    local turn = redis.call('HINCRBY', TOTALS, 'turn', 1)
    redis.call('ZADD', key('rooms', own), int(turn), room)
    redis.call('ZADD', key('members', room), int(turn), own)
end

local function leave(own, room)
    redis.call('ZREM', key('rooms', own), room)
    redis.call('ZREM', key('members', room), own)
end

-- Does so many effects, the first of which is at ARGV[at], or only passes over them. Answers where the next would be.
local function run(own, at, count, really)
    for _ = 1, count do
        local kind, size = ARGV[at], 2
        if kind == 'broadcast' then
            if really then broadcast(own, ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]) end
            size = 5
        elseif kind == 'reply' then
            if really and own then put(own, ARGV[at + 1], ARGV[at + 2]) end
            size = 3
        elseif really and own and kind == 'join' then
            join(own, ARGV[at + 1])
        elseif really and own and kind == 'leave' then
            leave(own, ARGV[at + 1])
        end
        at = at + size
    end
    return at
end
