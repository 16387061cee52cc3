// Package posting looks at one post for one list: it gathers what is known of it, has
// the list judge it (lists.List.Judge), and dresses the copy that members get (package
// message). The road of a message, the release of a held post, and the commands that show
// both beforehand all go through here. It sends nothing, and keeps nothing.
package posting
