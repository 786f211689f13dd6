-- ID and epoch of each.
for at = BASE, #ARGV, 2 do
    local status, s = held(ARGV[at], ARGV[at + 1])
    if status == DONE and s.connected then keep(ARGV[at]) end
end
return { DONE }
