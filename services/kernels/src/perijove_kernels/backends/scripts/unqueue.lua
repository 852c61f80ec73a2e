-- ARGV: lost_after, kernel
leave_queue(ARGV[2])
return 0
