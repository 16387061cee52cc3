package bounce

// Reply tells what an SMTP reply to RCPT or to the content says about the recipient, as Read does of a report:
// "550 5.1.1 no such user". Words beside it do no harm.
func Reply(text string) (Kind, Cause) {
	text = oneLine(text)
	return judge(bestStatus("", text), text)
}
