package bounce
import ("testing";"os";"fmt")
func TestZZ(t *testing.T){
 for _,f:=range []string{"b40_gb_html","c20_czech"}{
  r,_:=os.Open("/tmp/holdoutF/"+f+".eml"); l,_:=scan(r); n:=newNotice(l,machine)
  for i,x:=range n.lines{fmt.Printf("%d %q\n",i,x)}
  fmt.Println(l.origin(), n.cut, l.subject(), n.has(failPhrases...), n.returned(), coded(n.flat), l.fromOffice(), containsAny(l.subject(),failureSubjects))
 }
 for _,s:=range []string{"iso-2022-kr","hz-gb-2312","unicode-1-1-utf-7","utf-7","x-unknown","iso-2022-cn","utf-16","gb2312","big5","ks_c_5601-1987","koi8-u","cp1251","windows-31j","shift_jis", "iso-8859-8-i"}{
  fmt.Printf("%s %q\n", s, decode([]byte("abc \xc8\xc9\xca d@e.f xyz \x1b$B@<K\\\x1b(B q"),"",s))
 }
}
