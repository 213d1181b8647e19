"""Large inputs of other formats than STIX 2.1: MISP events, Incidents, in-house rows, a bundle of STIX 2.0."""
import json

import big_bundle

EVENT = {"date": "2026-03-01", "timestamp": "1772359200", "threat_level_id": "2", "analysis": "0", "distribution": "1", "published": True,
         "Orgc": {"uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f", "name": "CERT of nowhere"}, "Tag": [{"name": "tlp:green"}]}


def address(n):
    return f"45.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def attribute(n, i):
    kind, value = ("domain", f"host{n}-{i}.example.net") if i else ("ip-dst", address(n))
    return {"uuid": f"5c8d0a1e-0000-4000-9000-{n * 100 + i:012}", "type": kind, "category": "Network activity", "to_ids": True,
            "timestamp": "1772359200", "distribution": "5", "value": value, "comment": "seen"}


def events(count, out):
    """What a search of a MISP gives: 1.2 KB an event."""
    out.write('{"response":[')
    for n in range(count):
        event = {"uuid": f"5c8d0a1e-0000-4000-8000-{n:012}", "info": f"event {n}", **EVENT,
                 "Attribute": [attribute(n, i) for i in range(4)]}
        out.write((",\n" if n else "") + json.dumps({"Event": event}))
    out.write("]}\n")


def incidents(count, out):
    """IODEF v2: 500 bytes an Incident."""
    out.write('<?xml version="1.0"?>\n<IODEF-Document version="2.00" xml:lang="en" xmlns="urn:ietf:params:xml:ns:iodef-2.0">\n')
    for n in range(count):
        out.write(f'<Incident purpose="reporting" restriction="green"><IncidentID name="csirt.example.com">{n}</IncidentID>'
                  f'<GenerationTime>2026-03-01T10:{n // 60 % 60:02}:{n % 60:02}Z</GenerationTime><Contact role="creator" '
                  'type="organization"><ContactName>CSIRT of nowhere</ContactName></Contact><EventData><Flow><System '
                  f'category="source"><Node><Address category="ipv4-addr">{address(n)}</Address></Node>'
                  "</System></Flow></EventData></Incident>\n")
    out.write("</IODEF-Document>\n")


def rows(count, out):
    """Of the mapping abuse-csv: 90 bytes a row."""
    out.write("id;seen_at;last_day;kind;value;what;label;trust;tags;family;report;ticket\n")
    for n in range(count):
        out.write(f"{n};{1 + n % 28:02}/05/2026 10:{n % 60:02};;host;{address(n)};seen in a sinkhole;{'WGA'[n % 3]};low;scan,bot;"
                  f"family{n % 7};;T-{n}\n")


def bundle20(count, out):
    """STIX 2.0: 500 bytes an object, observables within observed-data."""
    out.write('{"type":"bundle","id":"bundle--0b0d4f8f-6d5b-4d3f-8f36-0d3d9c1f4a01","spec_version":"2.0","objects":[\n')
    for n in range(count):
        common = {"created": "2026-03-01T10:00:00.000Z", "modified": "2026-03-01T10:00:00.000Z"}
        if n % 3:
            item = {"type": "indicator", "id": big_bundle.ident("indicator", n), **common, "labels": ["malicious-activity"],
                    "name": f"indicator {n}", "valid_from": "2026-03-01T10:00:00Z",
                    "pattern": f"[ipv4-addr:value = '{address(n)}' OR domain-name:value = 'host{n}.example.net']"}
        else:
            item = {"type": "observed-data", "id": big_bundle.ident("observed-data", n), **common, "number_observed": 1,
                    "first_observed": "2026-03-01T10:00:00Z", "last_observed": "2026-03-01T10:00:00Z",
                    "objects": {"0": {"type": "ipv4-addr", "value": address(n)}}}
        out.write((",\n" if n else "") + json.dumps(item))
    out.write("\n]}\n")
