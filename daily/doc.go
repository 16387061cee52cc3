// Package daily writes to owners once a day what has happened on their lists: who came and left, what waits, what came back. It
// owns the marks under DATA/daily, which say up to where of the audit log an owner has heard. It makes no events and takes no
// mail; what it tells, others have written into the log.
package daily
