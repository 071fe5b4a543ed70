package service

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	outrigger "github.com/outrigger-dhcp/outrigger/hooks/go/sdk"
)

// listed is how many subnets a refusal names; the rest is counted.
const listed = 20

// settings are what a server asked for when it loaded the service.
type settings struct {
	// restrictedSubnetID is where clients go that are not registered; 0 with subnet-selection false.
	restrictedSubnetID uint32
	// subnetSelection says whether subnets are selected.
	subnetSelection bool
	// optionOverrides says whether boot file and TFTP server are overridden.
	optionOverrides bool
	// outcomeRecords says whether responses are recorded.
	outcomeRecords bool
}

// readSettings reads the parameters: an object of known keys, with a restricted subnet that is configured.
func readSettings(parameters []byte, subnets map[uint32]*outrigger.Subnet) (settings, error) {
	s := settings{subnetSelection: true, optionOverrides: true, outcomeRecords: true}
	var restricted *uint32
	if err := readParameters(parameters, &s, &restricted); err != nil {
		return settings{}, fmt.Errorf("parameters: %w", err)
	}
	if !s.subnetSelection {
		return s, nil
	}
	if restricted == nil {
		return settings{}, fmt.Errorf("parameters: restricted-subnet-id is missing: the id of the subnet for clients that "+
			"are not registered; %s. To leave subnets alone, set subnet-selection to false", list(subnets))
	}
	if subnets[*restricted] == nil {
		return settings{}, fmt.Errorf("parameters: restricted-subnet-id is %d, but there is no subnet %d; %s",
			*restricted, *restricted, list(subnets))
	}
	s.restrictedSubnetID = *restricted
	return s, nil
}

// readParameters reads the object key by key: into a struct, keys would be found that are written in another case, or
// are there twice.
func readParameters(text []byte, s *settings, restricted **uint32) error {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if token, err := decoder.Token(); err != nil {
		return jsonError(err)
	} else if token != json.Delim('{') {
		return errors.New("they are not an object")
	}
	seen := make(map[string]bool)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return jsonError(err)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return jsonError(err)
		}
		key := fmt.Sprint(token)
		if seen[key] {
			return fmt.Errorf("duplicate field `%s`", key)
		}
		seen[key] = true
		if err := s.set(key, string(value), restricted); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return jsonError(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

func (s *settings) set(key, value string, restricted **uint32) error {
	switch key {
	case "restricted-subnet-id":
		if value == "null" {
			return nil
		}
		id, err := strconv.ParseUint(value, 10, 32)
		if err != nil {
			return fmt.Errorf("%s: invalid value %.60s, expected the id of a subnet", key, value)
		}
		id32 := uint32(id)
		*restricted = &id32
		return nil
	case "subnet-selection":
		return setBool(&s.subnetSelection, key, value)
	case "option-overrides":
		return setBool(&s.optionOverrides, key, value)
	case "outcome-records":
		return setBool(&s.outcomeRecords, key, value)
	}
	return fmt.Errorf("unknown field `%s`, expected one of `restricted-subnet-id`, `subnet-selection`, "+
		"`option-overrides`, `outcome-records`", key)
}

func setBool(target *bool, key, value string) error {
	if value != "true" && value != "false" {
		return fmt.Errorf("%s: invalid value %.60s, expected a boolean", key, value)
	}
	*target = value == "true"
	return nil
}

// jsonError says what the end of the text means in the middle of an object.
func jsonError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("they end too early")
	}
	return err
}

// list names the subnets that there are.
func list(subnets map[uint32]*outrigger.Subnet) string {
	if len(subnets) == 0 {
		return "the server has no subnets"
	}
	ids := slices.Sorted(maps.Keys(subnets))
	var text strings.Builder
	for index, id := range ids[:min(listed, len(ids))] {
		if index > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "%d (%s)", id, subnets[id].Prefix)
	}
	if more := len(ids) - listed; more > 0 {
		fmt.Fprintf(&text, " and %d more", more)
	}
	return "the server has " + text.String()
}
