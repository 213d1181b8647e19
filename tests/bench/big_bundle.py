#!/usr/bin/python3
"""Write a large STIX 2.1 bundle of made-up objects: big_bundle.py OBJECTS [OUT]. The same every time."""
import hashlib
import json
import sys
import uuid

SPACE = uuid.UUID("3d1a7d2c-5b0e-4f67-9a51-0f6c1e2d3b4a")
TIME = "2026-03-01T10:00:00.000Z"
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
WORDS = "loader beacon panel drop proxy stage kit botnet wiper stealer".split()


def ident(kind, n):
    """A version 4 shaped id that depends on its number alone."""
    raw = bytearray(hashlib.sha256(f"{kind}{n}".encode()).digest()[:16])
    raw[6] = raw[6] & 0x0F | 0x40
    raw[8] = raw[8] & 0x3F | 0x80
    return f"{kind}--{uuid.UUID(bytes=bytes(raw))}"


def common(kind, n, **members):
    """What every SDO and SRO has."""
    return {"type": kind, "spec_version": "2.1", "id": ident(kind, n), "created": TIME, "modified": TIME,
            "created_by_ref": ident("identity", 0), "object_marking_refs": [GREEN, statement()["id"]]} | members


def statement():
    """A marking that stands behind what it marks."""
    return {"type": "marking-definition", "spec_version": "2.1", "id": ident("marking-definition", 1), "created": TIME,
            "definition_type": "statement", "definition": {"statement": "Copyright 2026, a CERT that does not exist"}}


def address(n):
    """One of sixteen million addresses that are not reserved."""
    return f"45.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"


def pattern(n):
    """Four kinds in turn."""
    if n % 4 == 0:
        return f"[ipv4-addr:value = '{address(n)}']"
    if n % 4 == 1:
        return f"[domain-name:value = 'host-{n}.evil-{n % 977}.ru']"
    if n % 4 == 2:
        return f"[url:value = 'http://host-{n}.evil-{n % 977}.ru/{WORDS[n % 10]}/{n}']"
    return f"[file:hashes.'SHA-256' = '{hashlib.sha256(str(n).encode()).hexdigest()}']"


def item(n):
    """Object number n: mostly indicators, with malware, relationships and observables between them."""
    if n % 50 == 7:
        return common("malware", n, name=f"{WORDS[n % 10]}-{n}", is_family=True, malware_types=["bot"])
    if n % 10 == 3:
        return common("relationship", n, relationship_type="indicates", source_ref=ident("indicator", n - 1),
                      target_ref=ident("malware", n - n % 50 + 7))
    if n % 25 == 11:
        value = address(n)
        text = json.dumps({"value": value}, separators=(",", ":"))
        space = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
        return {"type": "ipv4-addr", "spec_version": "2.1", "id": f"ipv4-addr--{uuid.uuid5(space, text)}",
                "value": value}
    return common("indicator", n, name=f"{WORDS[n % 10]} {n}", pattern=pattern(n), pattern_type="stix",
                  valid_from=TIME, indicator_types=["malicious-activity"], labels=[WORDS[n % 10]], confidence=n % 101)


def write(count, out):
    """The bundle: the creator, `count` objects, the statement."""
    creator = common("identity", 0, name="CERT of nowhere", identity_class="organization")
    del creator["created_by_ref"]
    out.write('{"type":"bundle","id":"bundle--' + str(uuid.UUID(int=SPACE.int ^ count)) + '","objects":[\n')
    out.write(json.dumps(creator))
    for n in range(count):
        out.write(",\n" + json.dumps(item(n)))
    out.write(",\n" + json.dumps(statement()) + "\n]}\n")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as file:
            write(int(sys.argv[1]), file)
    else:
        write(int(sys.argv[1]), sys.stdout)
