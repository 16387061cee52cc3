package templates

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// tongue is what a language needs beside its texts.
type tongue struct {
	commands     Commands
	months, days [12]string // January first; Sunday first, and only seven
	// date has the day's name, the day, the month, the year, the time and its zone. The first of a month may have a form
	// of its own.
	date, first string
	day         string    // as date, without the time
	units       [3]string // octets, thousands, millions
	point       string    // of decimals
}

func tongueOf(lang string) tongue {
	switch lang {
	case "fr":
		return tongue{
			commands: Commands{Approve: "accepter", Reject: "refuser", Discard: "supprimer", Ban: "bannir"},
			months:   [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
			days:     [12]string{"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
			date:     "%s %s %s %d à %s (%s)", first: "1er", day: "%s %s %s %d",
			units: [3]string{"octets", "ko", "Mo"}, point: ",",
		}
	case "de":
		return tongue{
			commands: Commands{Approve: "freigeben", Reject: "ablehnen", Discard: "verwerfen", Ban: "sperren"},
			months:   [12]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
			days:     [12]string{"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
			date:     "%s, %s. %s %d, %s Uhr (%s)", day: "%s, %s. %s %d",
			units: [3]string{"Byte", "kB", "MB"}, point: ",",
		}
	}
	return tongue{
		commands: Commands{Approve: "approve", Reject: "reject", Discard: "discard", Ban: "ban"},
		months:   [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		days:     [12]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		date:     "%s, %s %s %d, %s (%s)", day: "%s, %s %s %d",
		units: [3]string{"bytes", "kB", "MB"}, point: ".",
	}
}

// formatDate writes a date in its own time zone, "" for the zero time.
func (t tongue) formatDate(d time.Time) string {
	if d.IsZero() {
		return ""
	}
	zone := "UTC"
	if _, offset := d.Zone(); offset != 0 {
		zone = "UTC" + d.Format("-07:00")
	}
	return fmt.Sprintf(t.date, t.days[d.Weekday()], t.number(d), t.months[d.Month()-1], d.Year(), d.Format("15:04"), zone)
}

// formatDay writes a day without a time, "" for the zero time.
func (t tongue) formatDay(d time.Time) string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf(t.day, t.days[d.Weekday()], t.number(d), t.months[d.Month()-1], d.Year())
}

// number is that of a day in its month.
func (t tongue) number(d time.Time) string {
	if d.Day() == 1 && t.first != "" {
		return t.first
	}
	return strconv.Itoa(d.Day())
}

// formatSize writes octets in the unit that people think in, "" for 0.
func (t tongue) formatSize(octets int64) string {
	switch {
	case octets <= 0:
		return ""
	case octets < 1000:
		return fmt.Sprintf("%d %s", octets, t.units[0])
	case octets < 999_500:
		return fmt.Sprintf("%d %s", (octets+500)/1000, t.units[1])
	}
	return strings.Replace(fmt.Sprintf("%.1f %s", float64(octets)/1e6, t.units[2]), ".", t.point, 1)
}

// command is the word of a decision.
func (t tongue) command(action string) (string, error) {
	switch action {
	case "approve":
		return t.commands.Approve, nil
	case "reject":
		return t.commands.Reject, nil
	case "discard":
		return t.commands.Discard, nil
	case "ban":
		return t.commands.Ban, nil
	}
	return "", fmt.Errorf("no such command: %q (there are: approve, reject, discard, ban)", action)
}

// quote puts "> " before each line, so that nobody takes them for ours.
func quote(text string) string {
	if text == "" {
		return ""
	}
	return "> " + strings.ReplaceAll(text, "\n", "\n> ")
}

// mailto is a link that opens a message (RFC 6068 section 2), in angle brackets as RFC 3986 appendix C wants it in text.
func mailto(address, subject string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		at = len(address)
	}
	local := strings.NewReplacer("%2B", "+").Replace(url.PathEscape(address[:at]))
	return "<mailto:" + local + address[at:] + "?subject=" + url.PathEscape(subject) + ">"
}
