// Package assets stands in for OONI's embedded location database, which the module proxy does
// not serve: every address is in AS9198, KZ.
package assets

import (
	"net"

	"github.com/oschwald/maxminddb-golang"
)

// OOMMDBRecord is what is known of an address.
type OOMMDBRecord struct {
	AutonomousSystemNumber       uint   `maxminddb:"autonomous_system_number"`
	AutonomousSystemOrganization string `maxminddb:"autonomous_system_organization"`
	Country                      struct {
		IsoCode string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
}

// OOMMDBLooup looks an address up; the client spells it so.
func OOMMDBLooup(db *maxminddb.Reader, ip net.IP) (*OOMMDBRecord, error) {
	record := &OOMMDBRecord{}
	return record, db.Lookup(ip, record)
}

// OOMMDBDatabaseBytes is a database whose one node leads both ways to the one record.
var OOMMDBDatabaseBytes = []byte("\x00\x00\x11\x00\x00\x11" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"\xe3" +
	text("autonomous_system_number") + "\xc2\x23\xee" +
	text("autonomous_system_organization") + text("Kazakhtelecom") +
	text("country") + "\xe1" + text("iso_code") + text("KZ") +
	"\xab\xcd\xefMaxMind.com" +
	"\xe9" +
	text("binary_format_major_version") + "\xa1\x02" +
	text("binary_format_minor_version") + "\xa0" +
	text("build_epoch") + "\x01\x02\x01" +
	text("database_type") + text("one") +
	text("description") + "\xe0" +
	text("ip_version") + "\xa1\x06" +
	text("languages") + "\x00\x04" +
	text("node_count") + "\xc1\x01" +
	text("record_size") + "\xa1\x18")

func text(s string) string {
	if len(s) < 29 {
		return string([]byte{byte(2<<5 | len(s))}) + s
	}
	return string([]byte{2<<5 | 29, byte(len(s) - 29)}) + s
}
