/*
 * stix21_words.h -- the vocabularies of STIX 2.1, blank-separated.
 *
 * Owns:    the words of the open vocabularies (others are legal) and of the closed enumerations.
 * Called:  by the tables of stix21_types.c and stix21_types_sco.c.
 * Never:   holds words of another format (vocab.h does).
 */
#ifndef FORMATS_STIX21_WORDS_H
#define FORMATS_STIX21_WORDS_H

/* Open. */
#define WORDS_ACCOUNT_TYPE							\
	"facebook ldap nis openid radius skype tacacs twitter unix windows-local windows-domain"
#define WORDS_MOTIVATION							\
	"accidental coercion dominance ideology notoriety organizational-gain personal-gain "	\
	"personal-satisfaction revenge unpredictable"
#define WORDS_RESOURCE_LEVEL							\
	"individual club contest team organization government"
#define WORDS_GROUPING_CONTEXT							\
	"suspicious-activity malware-analysis unspecified"
#define WORDS_IDENTITY_CLASS							\
	"individual group system organization class unknown"
#define WORDS_LANGUAGE								\
	"applescript bash c c++ c# go java javascript lua objective-c perl php powershell python "	\
	"ruby scala swift typescript visual-basic x86-32 x86-64"
#define WORDS_INDICATOR_TYPE							\
	"anomalous-activity anonymization benign compromised malicious-activity attribution unknown"
#define WORDS_SECTOR								\
	"agriculture aerospace automotive chemical commercial communications construction defense "	\
	"education energy entertainment financial-services government emergency-services "		\
	"government-national government-regional government-local government-public-services "		\
	"healthcare hospitality-leisure infrastructure dams nuclear water insurance manufacturing "	\
	"mining non-profit pharmaceuticals retail technology telecommunications transportation "	\
	"utilities"
#define WORDS_INFRASTRUCTURE_TYPE						\
	"amplification anonymization botnet command-and-control control-system exfiltration "		\
	"firewall hosting-malware hosting-target-lists phishing reconnaissance routers-switches "	\
	"staging workstation unknown"
#define WORDS_MALWARE_CAPABILITY						\
	"accesses-remote-machines anti-debugging anti-disassembly anti-emulation "			\
	"anti-memory-forensics anti-sandbox anti-vm captures-input-peripherals "			\
	"captures-output-peripherals captures-system-state-data cleans-traces-of-infection "		\
	"commits-fraud communicates-with-c2 compromises-data-availability "				\
	"compromises-data-integrity compromises-system-availability controls-local-machine "		\
	"degrades-security-software degrades-system-updates determines-c2-server emails-spam "		\
	"escalates-privileges evades-av exfiltrates-data fingerprints-host hides-artifacts "		\
	"hides-executing-code infects-files infects-remote-machines installs-other-components "		\
	"persists-after-system-reboot prevents-artifact-access prevents-artifact-deletion "		\
	"probes-network-environment self-modifies steals-authentication-credentials "			\
	"violates-system-operational-integrity"
#define WORDS_MALWARE_RESULT							\
	"malicious suspicious benign unknown"
#define WORDS_MALWARE_TYPE							\
	"adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware "		\
	"remote-access-trojan resource-exploitation rogue-security-software rootkit "			\
	"screen-capture spyware trojan unknown virus webshell wiper worm"
#define WORDS_PATTERN_TYPE							\
	"stix pcre sigma snort suricata yara"
#define WORDS_PROCESSOR								\
	"alpha arm ia-64 mips powerpc sparc x86 x86-64"
#define WORDS_REGION								\
	"africa eastern-africa middle-africa northern-africa southern-africa western-africa americas "	\
	"latin-america-caribbean south-america caribbean central-america northern-america asia "	\
	"central-asia eastern-asia southern-asia south-eastern-asia western-asia europe "		\
	"eastern-europe northern-europe southern-europe western-europe oceania antarctica "		\
	"australia-new-zealand melanesia micronesia polynesia"
#define WORDS_REPORT_TYPE							\
	"attack-pattern campaign identity indicator intrusion-set malware observed-data "		\
	"threat-actor threat-report tool vulnerability"
#define WORDS_ACTOR_ROLE							\
	"agent director independent infrastructure-architect infrastructure-operator "			\
	"malware-author sponsor"
#define WORDS_SOPHISTICATION							\
	"none minimal intermediate advanced expert innovator strategic"
#define WORDS_ACTOR_TYPE							\
	"activist competitor crime-syndicate criminal hacker insider-accidental "			\
	"insider-disgruntled nation-state sensationalist spy terrorist unknown"
#define WORDS_TOOL_TYPE								\
	"denial-of-service exploitation information-gathering network-capture "				\
	"credential-exploitation remote-access vulnerability-scanning unknown"
#define WORDS_PE_TYPE	"dll exe sys"

/* Closed. */
#define WORDS_ENCRYPTION	"AES-256-GCM ChaCha20-Poly1305 mime-type-indicated"
#define WORDS_EXTENSION_TYPE							\
	"new-sdo new-sco new-sro property-extension toplevel-property-extension"
#define WORDS_OPINION		"strongly-disagree disagree neutral agree strongly-agree"
#define WORDS_ADDRESS_FAMILY							\
	"AF_UNSPEC AF_INET AF_IPX AF_APPLETALK AF_NETBIOS AF_INET6 AF_IRDA AF_BTH"
#define WORDS_SOCKET_TYPE	"SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET"
#define WORDS_SOCKET_OPTION	"SO_ ICMP_ ICMP6_ IP_ IPV6_ MCAST_ TCP_ IRLMP_"
#define WORDS_INTEGRITY		"low medium high system"
#define WORDS_REGISTRY_TYPE							\
	"REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD REG_DWORD_BIG_ENDIAN "			\
	"REG_DWORD_LITTLE_ENDIAN REG_LINK REG_MULTI_SZ REG_RESOURCE_LIST "				\
	"REG_FULL_RESOURCE_DESCRIPTION REG_RESOURCE_REQUIREMENTS_LIST REG_QWORD REG_INVALID_TYPE"
#define WORDS_SERVICE_START							\
	"SERVICE_AUTO_START SERVICE_BOOT_START SERVICE_DEMAND_START SERVICE_DISABLED "			\
	"SERVICE_SYSTEM_ALERT"
#define WORDS_SERVICE_TYPE							\
	"SERVICE_KERNEL_DRIVER SERVICE_FILE_SYSTEM_DRIVER SERVICE_WIN32_OWN_PROCESS "			\
	"SERVICE_WIN32_SHARE_PROCESS"
#define WORDS_SERVICE_STATUS							\
	"SERVICE_CONTINUE_PENDING SERVICE_PAUSE_PENDING SERVICE_PAUSED SERVICE_RUNNING "		\
	"SERVICE_START_PENDING SERVICE_STOP_PENDING SERVICE_STOPPED"

#endif
