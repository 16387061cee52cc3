package run

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"superlistd/config"
	"superlistd/identity"
)

const dkimHelp = `Keys for our own DKIM signatures (table [dkim] of the settings).

With --json, both commands print one object:
  {"keys": [{"selector", "file", "records": [{"name", "text", "zone"}]}]}
name and text are those of a TXT record, zone is the same as a zone file has it.`

const newKeyHelp = `Make a private key, write it to a file that only its owner can read, and print the TXT record
that publishes it in the DNS. A file that is there is never touched. Made by root, the key
belongs to the owner of the folder "data" of the settings, who is to sign with it.

Without --domain, there is a record for each domain that the settings have.`

// A dkimKey is a key with the records that publish it: what both commands print.
type (
	dkimKey struct {
		Selector string       `json:"selector"`
		File     string       `json:"file"`
		Records  []dkimRecord `json:"records"`
	}
	dkimRecord struct {
		Name string `json:"name"`
		Text string `json:"text"`
		Zone string `json:"zone"`
	}
)

func (c *listctl) dkimCommand() *cobra.Command {
	dkim := &cobra.Command{
		Use: "dkim", Short: "Make and show the keys of our DKIM signatures", Long: dkimHelp, DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`usage: listctl dkim new-key|show`)
			}
			return fmt.Errorf(`%q is not a command of dkim: try "listctl dkim --help"`, args[0])
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args never lets it come here
	}
	show := &cobra.Command{
		Use: "show", Short: "Print the DNS records of the keys in the settings", DisableFlagsInUseLine: true,
		Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			if err := c.dkimShow(); err != nil {
				return refusal{err}
			}
			return nil
		},
	}
	dkim.AddCommand(c.newKeyCommand(), show)
	return dkim
}

// newKey is what the flags of "dkim new-key" say.
type newKey struct {
	kind     string // "rsa" or "ed25519"
	bits     int
	selector string
	domain   string // empty: those of the settings
	out      string
}

func (c *listctl) newKeyCommand() *cobra.Command {
	var k newKey
	cmd := &cobra.Command{
		Use: "new-key --selector S --out FILE", Short: "Make a key and print its DNS record", Long: newKeyHelp,
		Args: cobra.NoArgs, ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := cmd.Flags()
	flags.StringVar(&k.kind, "type", "rsa", "`KIND` of key: rsa, which everybody can verify, or ed25519, best beside one of rsa")
	flags.IntVar(&k.bits, "bits", 2048, "`LENGTH` of an RSA key")
	flags.StringVar(&k.selector, "selector", "", "`NAME` of the key under its domain, a new one for each key")
	flags.StringVar(&k.domain, "domain", "", "`DOMAIN` that signs (default: what the settings say)")
	flags.StringVar(&k.out, "out", "", "`FILE` for the private key")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case k.selector == "" || k.out == "":
			return usage(cmd)
		case k.kind != "rsa" && k.kind != "ed25519":
			return fmt.Errorf("--type %q is neither rsa nor ed25519", k.kind)
		case k.kind == "ed25519" && flags.Changed("bits"):
			return errors.New("--bits is for RSA: an Ed25519 key has one length")
		}
		if err := c.dkimNewKey(k); err != nil {
			return refusal{err}
		}
		return nil
	}
	return cmd
}

func (c *listctl) dkimNewKey(k newKey) error {
	path, err := filepath.Abs(k.out)
	if err != nil {
		return err
	}
	cfg, err := config.Load(configPath(c.config))
	// The first key may come before the first settings; then it has to say its domain.
	if err != nil && (k.domain == "" || !errors.Is(err, fs.ErrNotExist)) {
		return err
	}
	domains := signingDomains(cfg)
	if k.domain != "" {
		domains = []string{k.domain}
	}
	text, err := k.make()
	if err != nil {
		return err
	}
	key, err := identity.ParseKey(strings.ToLower(k.selector), text)
	if err != nil {
		return err
	}
	made, err := describeKey(key, path, domains)
	if err != nil {
		return err
	}
	if err := writeKey(path, text, cfg.Data); err != nil {
		return err
	}
	if c.json {
		return c.printKeys([]dkimKey{made})
	}
	if err := c.printf("# The key is in %s. Publish in the DNS, for verifiers:\n\n", path); err != nil {
		return err
	}
	if err := c.printKeys([]dkimKey{made}); err != nil {
		return err
	}
	return c.printf("\n# Then sign with it. In the settings, beside keys that are there (\"superlistd check\" compares with the DNS):\n"+
		"# [dkim]\n# selector = %q\n# key = %q\n", made.Selector, path)
}

// make returns the key as PEM.
func (k newKey) make() ([]byte, error) {
	if k.kind == "ed25519" {
		return identity.NewEd25519Key()
	}
	return identity.NewRSAKey(k.bits)
}

// signingDomains are the domains that sign, each once.
func signingDomains(cfg config.Config) []string {
	if cfg.DKIM.Domain != "" {
		return []string{cfg.DKIM.Domain}
	}
	return cfg.Domains
}

func (c *listctl) dkimShow() error {
	cfg, err := config.Load(configPath(c.config))
	if err != nil {
		return err
	}
	keys, _, err := loadKeys(cfg.DKIM)
	if err != nil {
		return err
	}
	if len(keys) == 0 && !c.json {
		return errors.New("no key is set: nothing is signed (listctl dkim new-key makes one)")
	}
	all := make([]dkimKey, len(keys))
	for i, key := range keys {
		if all[i], err = describeKey(key, cfg.DKIM.Keys[i], signingDomains(cfg)); err != nil {
			return err
		}
	}
	return c.printKeys(all)
}

// describeKey makes the records of a key, or tells what no record could be made of.
func describeKey(key identity.Key, path string, domains []string) (dkimKey, error) {
	described := dkimKey{Selector: key.Selector(), File: path}
	text, err := key.Record()
	if err != nil {
		return described, err
	}
	for _, domain := range domains {
		signer, err := identity.NewSigner(domain, nil, key)
		if err != nil {
			return described, err
		}
		zone, err := key.ZoneRecord(signer.Domain())
		if err != nil {
			return described, err
		}
		name := recordName(key, signer.Domain())
		if len(name) > maxRecordName {
			return described, fmt.Errorf("%s is too long for the DNS: %d octets are the most", name, maxRecordName)
		}
		described.Records = append(described.Records, dkimRecord{name, text, zone})
	}
	return described, nil
}

// maxRecordName is the length of a name in the DNS as it is written (RFC 1035 section 2.3.4).
const maxRecordName = 253

// recordName is where verifiers look for a key (RFC 6376 section 3.6.2.1).
func recordName(key identity.Key, domain string) string {
	return key.Selector() + "._domainkey." + domain
}

func (c *listctl) printKeys(keys []dkimKey) error {
	if c.json {
		return c.printJSON(struct {
			Keys []dkimKey `json:"keys"`
		}{keys})
	}
	for i, key := range keys {
		for j, r := range key.Records {
			if i+j > 0 {
				if err := c.printf("\n"); err != nil {
					return err
				}
			}
			if err := c.printf("name  %s\ntype  TXT\ntext  %s\n\n# the same for a zone file:\n%s", r.Name, r.Text, r.Zone); err != nil {
				return err
			}
		}
	}
	return nil
}
