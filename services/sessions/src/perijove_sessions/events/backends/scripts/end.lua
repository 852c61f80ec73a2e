-- Returns the feed's name and its last number.
return { feed_name(), whole(last_number()) }
