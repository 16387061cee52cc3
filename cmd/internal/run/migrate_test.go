package run

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"superlistd/lists"
)

// Every setting and option in the tables of docs/migrate.md is taken as it stands there.
func TestMigratePage(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "migrate.md"))
	if err != nil {
		t.Fatal(err)
	}
	assignment := regexp.MustCompile("`([a-z_]+)=([^`]*)`")
	named := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		columns := strings.Split(strings.TrimSpace(strings.ReplaceAll(line, `\|`, "")), "|")
		if len(columns) < 4 {
			continue
		}
		for _, a := range assignment.FindAllStringSubmatch(strings.Join(columns[2:], "|"), -1) {
			name, value := a[1], a[2]
			named[name] = true
			if strings.HasPrefix(value, "@") && strings.HasSuffix(value, ".txt") {
				continue // a file
			}
			if err := setAnything(name, value); err != nil {
				t.Errorf("%s=%s: %v", name, value, err)
			}
		}
	}
	for _, s := range lists.SettingTable() {
		if !named[s.Name] && !strings.HasSuffix(s.Name, "posts_per_hour") && s.Name != "reply_ok" && s.Name != "keep_dkim" {
			t.Errorf("%s is the counterpart of nothing", s.Name)
		}
	}
	for _, o := range lists.MemberOptionTable() {
		if !named[o.Name] && o.Name != "posts" {
			t.Errorf("the option %s is the counterpart of nothing", o.Name)
		}
	}
}

// setAnything sets a setting, or an option of a member.
func setAnything(name, value string) error {
	s, err := lists.LookupSetting(name)
	if err == nil {
		settings := lists.DefaultSettings()
		return s.Set(&settings, value)
	}
	o, err := lists.LookupMemberOption(name)
	if err != nil {
		return err
	}
	return o.Set(&lists.Member{}, value)
}
