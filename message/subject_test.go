package message

import (
	"mime"
	"strings"
	"testing"

	"github.com/emersion/go-message/charset"
)

func TestSubjectPrefix(t *testing.T) {
	t.Parallel()
	const same = "(as it is)"
	for _, tt := range []struct{ name, prefix, in, want string }{
		{"plain", "[team]", " Tea", " [team] Tea"},
		{"no blank behind the colon", "[team]", "Tea", " [team] Tea"},
		{"empty", "[team]", "", " [team]"},
		{"blank", "[team]", "  ", "  [team]"},
		{"folded at once", "[team]", "\r\n Tea", "\r\n [team] Tea"},
		{"folded later", "[team]", " Tea\r\n\tand\r\n talk", " [team] Tea\r\n\tand\r\n talk"},
		{"folded behind the mark", "[team]", " Re:\r\n Tea", " Re:\r\n [team] Tea"},
		{"a line that gets too long is folded", "[team]", " " + strings.Repeat("Tea ", 17) + "x", " [team]\r\n " + strings.Repeat("Tea ", 17) + "x"},

		{"has it", "[team]", " [team] Tea", same},
		{"has it behind the mark", "[team]", " Re: [team] Tea", same},
		{"has it before the mark", "[team]", " [team] Re: Tea", same},
		{"has it in another case", "[team]", " RE: [TEAM]Tea", same},
		{"has it anywhere", "[team]", " Fwd: Tea (was: [team] Talk)", same},
		{"has it folded", "[the team]", " [the\r\n team] Tea", same},
		{"has it encoded", "[team]", " =?utf-8?B?W3RlYW1dIENhZsOp?=", same},
		{"has it in two words", "[team]", " =?iso-8859-1?q?Re:_[te?=\r\n =?iso-8859-1?q?am]_Caf=E9?=", same},
		{"has it in an unknown charset", "[team]", " =?x-none?q?Re:_[team]_Caf=E9?=", same},
		{"has it, not ASCII", "[équipe]", " Re: =?iso-8859-1?q?[=C9quipe]?= Tea", same},
		{"has it raw", "[équipe]", " Re: [équipe] Tea", same},
		{"a word of it is not it", "team", " teams", " team teams"},
		{"without brackets", "team:", " Re: team: Tea", same},
		{"another list's", "[team]", " Re: [other] Tea", " Re: [team] [other] Tea"},

		{"Re", "[team]", " Re: Tea", " Re: [team] Tea"},
		{"Re without a blank", "[team]", " RE:Tea", " RE: [team] Tea"},
		{"Re and nothing", "[team]", " Re: ", " Re: [team]"},
		{"French blank", "[team]", " RE : Tea", " RE : [team] Tea"},
		{"numbered", "[team]", " Re[2]: Tea", " Re[2]: [team] Tea"},
		{"numbered, round", "[team]", " Re (12): Tea", " Re (12): [team] Tea"},
		{"numbered, power", "[team]", " Re^3: Tea", " Re^3: [team] Tea"},
		{"numbered, times", "[team]", " Re*3: Tea", " Re*3: [team] Tea"},
		{"another list's number", "[list]", " Re:[list:979] Re: Test", " Re: [list] [list:979] Re: Test"},
		{"not a number", "[team]", " Re[x]: Tea", " [team] Re[x]: Tea"},
		{"full width", "[team]", " Re：Tea", " Re： [team] Tea"},
		{"German", "[team]", " AW: Tee", " AW: [team] Tee"},
		{"Dutch", "[team]", " Antw: Thee", " Antw: [team] Thee"},
		{"Swedish", "[team]", " SV: Te", " SV: [team] Te"},
		{"Finnish", "[team]", " VS: Tee", " VS: [team] Tee"},
		{"Italian", "[team]", " R: Tè", " R: [team] Tè"},
		{"Polish", "[team]", " Odp: Herbata", " Odp: [team] Herbata"},
		{"Portuguese", "[team]", " RES: Chá", " RES: [team] Chá"},
		{"Turkish", "[team]", " YNT: Çay", " YNT: [team] Çay"},
		{"Hungarian", "[team]", " Vá: Tea", " Vá: [team] Tea"},
		{"Welsh", "[team]", " ATB: Te", " ATB: [team] Te"},
		{"Greek", "[team]", " ΣΧΕΤ: Τσάι", " ΣΧΕΤ: [team] Τσάι"},
		{"Hebrew", "[team]", " השב: תה", " השב: [team] תה"},
		{"Chinese", "[team]", " 回复：茶", " 回复： [team] 茶"},
		{"chain", "[team]", " Re: AW: SV: Tea", " Re: AW: SV: [team] Tea"},
		{"a forward is no reply", "[list]", " SV: Fwd: Re: Something", " SV: [list] Fwd: Re: Something"},
		{"a word is no mark", "[team]", " Recap: Tea", " [team] Recap: Tea"},
		{"two words are no mark", "[team]", " Re Tea: x", " [team] Re Tea: x"},

		{"encoded", "[team]", " =?iso-8859-1?Q?Caf=E9?= =?iso-8859-1?Q?_und_Tee?=", " [team] =?iso-8859-1?Q?Caf=E9?= =?iso-8859-1?Q?_und_Tee?="},
		{"mark before the word", "[team]", " Re: =?iso-8859-1?Q?Caf=E9?=", " Re: [team] =?iso-8859-1?Q?Caf=E9?="},
		{"mark in the word", "[team]", " =?iso-8859-1?Q?Re:_Caf=E9?= =?x?q?y?=", " Re: [team] =?iso-8859-1?Q?Caf=E9?= =?x?q?y?="},
		{"mark in the word, base64", "[team]", " =?UTF-8?B?QVc6IENhZsOp?=", " AW: [team] =?UTF-8?B?Q2Fmw6k=?="},
		{"a whole word of marks", "[team]", " =?utf-8?q?Re:_?=\r\n =?utf-8?q?Caf=C3=A9?=", " =?utf-8?q?Re:_?=\r\n [team] =?utf-8?q?Caf=C3=A9?="},
		{"mark in two words", "[team]", " =?utf-8?q?R?= =?utf-8?q?e:_Caf=C3=A9?=", " =?utf-8?q?R?= =?utf-8?q?e:_?= [team] =?utf-8?q?Caf=C3=A9?="},
		{"Cyrillic mark", "[team]", " =?koi8-r?B?79TXOiD0xdPU?=", " =?koi8-r?B?79TXOiA=?= [team] =?koi8-r?B?9MXT1A==?="},
		{"Japanese mark and states", "[team]", " =?iso-2022-jp?B?GyRCSlY/LhsoQjogGyRCQ2MbKEI=?=", " =?iso-2022-jp?B?GyRCSlY/LhsoQjog?= [team]\r\n =?iso-2022-jp?B?GyRCQ2MbKEI=?="},
		{"mark that a state goes beyond", "[team]", " =?iso-2022-jp?B?GyRCSlY/LiEnQ2MbKEI=?=", " =?utf-8?b?6L+U5L+h77ya?= [team] =?utf-8?b?6Iy2?="},
		{"unknown charset", "[team]", " =?x-none?q?Re:_Tea?=", " [team] =?x-none?q?Re:_Tea?="},
		{"mark before an unknown charset", "[team]", " Re: =?x-none?q?Tea?=", " Re: [team] =?x-none?q?Tea?="},
		{"damaged word", "[team]", " =?utf-8?q?=ZZ?= Tea", " [team] =?utf-8?q?=ZZ?= Tea"},
		{"line ends in a word", "[team]", " =?utf-8?q?Re:=0D=0ABcc:_x=40y?= Tea", " Re: [team] =?utf-8?q?Bcc:_x@y?= Tea"},
		{"octets that are no UTF-8", "[team]", " Re: Caf\xe9", " Re: [team] Caf\xe9"},

		{"prefix not ASCII", "[équipe]", " Tea", " =?utf-8?q?[=C3=A9quipe]?= Tea"},
		{"prefix not ASCII, before a word", "[équipe]", " =?utf-8?q?Th=C3=A9?=", " =?utf-8?q?[=C3=A9quipe]_?= =?utf-8?q?Th=C3=A9?="},
		{"prefix not ASCII, between words", "[équipe]", " =?koi8-r?B?79TXOg==?= =?koi8-r?B?9MXT1A==?=", " =?koi8-r?B?79TXOg==?= =?utf-8?q?_[=C3=A9quipe]_?=\r\n =?koi8-r?B?9MXT1A==?="},
		{"prefix not ASCII, in a word", "[équipe]", " =?utf-8?Q?Re:_Th=C3=A9?=", " Re: =?utf-8?q?[=C3=A9quipe]_?= =?utf-8?Q?Th=C3=A9?="},
		{"prefix like a word", "=?x?=", " Tea", " =?utf-8?q?=3D=3Fx=3F=3D?= Tea"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := ParseHeader([]byte("Subject:" + tt.in + "\r\n"))
			got, changed := prefixSubject(h.fields[0], tt.prefix)
			if !changed {
				got = []byte("Subject:" + same + "\r\n")
			}
			if want := "Subject:" + tt.want + "\r\n"; string(got) != want {
				t.Fatalf("got  %q\nwant %q", got, want)
			}
			if !changed {
				return
			}
			f := ParseHeader(got).fields[0]
			if twice, again := prefixSubject(f, tt.prefix); again {
				t.Errorf("gets it twice: %q", twice)
			}
			if asIs(tt.in) || strings.Contains(tt.in, "x-none") || strings.Contains(tt.in, "x?q") || strings.Contains(tt.in, "ZZ") {
				return
			}
			// Another reader sees the prefix, and all that was there.
			dec := mime.WordDecoder{CharsetReader: charset.Reader}
			before, err1 := dec.DecodeHeader(squeeze(h.fields[0].text()))
			after, err2 := dec.DecodeHeader(squeeze(f.text()))
			if err1 != nil || err2 != nil || words(strings.Replace(after, tt.prefix, "", 1)) != words(before) {
				t.Errorf("reads as %q, %v; was %q, %v", after, err2, before, err1)
			}
		})
	}
}

// words is what counts of a subject.
func words(s string) string { return strings.Join(strings.Fields(s), "") }

// FuzzSubject: the field that comes out is one field, has the prefix once, keeps what it need not touch, and says what it said.
func FuzzSubject(f *testing.F) {
	f.Add(" Re: =?utf-8?q?=0D=0ABcc:_x?= =?koi8-r?B?79TXOiD0xdPU?=", "[team]")
	f.Add(" =?iso-2022-jp?B?GyRCSlY/LiEnQ2MbKEI=?=\r\n x", "[équipe]")
	f.Add("\r\n\t=?q?q?q?= =?utf-8?q?=?==?", "=?")
	f.Add(" =?utf-16?b?/v8AUgBlADoAIABY?=", "a b")
	f.Fuzz(func(t *testing.T, value, prefix string) {
		if prefix = shown([]byte(prefix)); prefix == "" {
			return
		}
		h := ParseHeader([]byte("Subject:" + value + "\r\n\r\n"))
		if len(h.fields) != 1 {
			return
		}
		was := h.fields[0]
		raw, changed := prefixSubject(was, prefix)
		if !changed {
			return
		}
		again := ParseHeader(append(raw, "\r\n"...))
		if len(again.fields) != 1 || again.Len() != len(raw)+2 || controls(raw) > controls(was.raw) {
			t.Fatalf("%q became %q", was.raw, raw)
		}
		if len(raw) > 3*len(was.raw)+12*len(prefix)+256 {
			t.Fatalf("%d octets became %d", len(was.raw), len(raw))
		}
		before, after := readWords(was.raw[was.value:]), readWords(again.fields[0].raw[8:])
		if !strings.Contains(words(shown(after.text)), words(prefix)) {
			t.Fatalf("%q has no prefix", raw)
		}
		got := words(strings.Replace(words(shown(after.text)), words(prefix), "", 1))
		if want := words(shown(before.text)); got != want {
			t.Fatalf("%q reads as %q, was %q", raw, got, want)
		}
	})
}
