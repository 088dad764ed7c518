"""A zone, a template from the web, a volume, a snapshot backed up, a crash in the middle; all in virtual time. Run me."""

from storcert.harness.contract import DataObjectUri
from storcert.reports.timeline import timeline
from storcert.scenarios.region import Region
from storcert.simulators.http_source import pattern

TEMPLATE, VOLUME = DataObjectUri.parse("/template/1/ubuntu"), DataObjectUri.parse("/volume/7/root")
BACKUP = DataObjectUri.parse("/snapshot/7/monday")

with Region(seed=7, management_servers=2) as region:
    region.zone("paris", hosts=2)
    region.device("images", "object-store", role="image", scope_id="paris")
    region.device("disks", "rbd", role="primary", scope_id="paris")
    region.device("backups", "nfs", role="image", scope_id="paris", policy={"kinds": ["snapshot"]})
    region.web.put("http://templates.example/ubuntu.raw", pattern(b"storcert", 8 << 20), stay=True)

    region.call(lambda control: control.register(TEMPLATE, "http://templates.example/ubuntu.raw", zone="paris"))
    region.call(lambda control: control.create_from(VOLUME, TEMPLATE, zone="paris"))
    region.call(lambda control: control.attach(VOLUME, "paris-h1", {"pause_ns": 20_000_000}))
    backup = region.start(lambda control: control.take_snapshot(VOLUME, BACKUP, "backups"))
    region.advance(75_000_000)
    region.crash("paris-ssvm1")  # the storage VM dies while it copies the snapshot; a host goes on
    region.finish(backup)
    region.settle()

print(timeline(region.kernel.journal.events))
for finding in region.findings():
    told = [one.text for one in finding.broken] or ("holds" if finding.looked_at else "nothing to decide")
    print(f"{finding.rule:11}", told)
