"""Works with the client that scripts/check-client generates: signs in, registers a project, amends it, and is refused."""

import datetime

from demo_server import demo_server
from taizhang_client import AuthenticatedClient, Client
from taizhang_client.api.events import list_events
from taizhang_client.api.projects import amend_project, create_project, list_projects
from taizhang_client.api.sign_in import login
from taizhang_client.api.summary import get_summary
from taizhang_client.models.credentials import Credentials
from taizhang_client.models.investment_input import InvestmentInput
from taizhang_client.models.problem_details import ProblemDetails
from taizhang_client.models.project_fields import ProjectFields
from taizhang_client.models.project_registration import ProjectRegistration
from taizhang_client.models.stage_code import StageCode


def main():
    with demo_server() as port:
        work(f"http://127.0.0.1:{port}")


def work(base):
    granted = login.sync(
        client=Client(base_url=base), body=Credentials(username="officer", password="Taizhang-demo-2025")
    )
    client = AuthenticatedClient(base_url=base, token=granted.access_token, timeout=60)

    page = list_projects.sync(client=client, stage=[StageCode.CONSTRUCTION], limit=3)
    assert len(page.items) == 3 and page.next_cursor, page
    assert all(project.stage is StageCode.CONSTRUCTION for project in page.items)

    made = create_project.sync(
        client=client,
        body=ProjectRegistration(
            name="生成的客户端登记的项目",
            region="211100",
            unit="panjin-drc",
            sector="港口",
            total_investment=InvestmentInput(exact="830000000.00"),
        ),
    )
    assert made.version == 1 and made.stage is StageCode.PLANNING, made
    assert made.total_investment.exact == "830000000.00", made.total_investment

    amended = amend_project.sync(
        made.id,
        client=client,
        body=ProjectFields(planned_start_on=datetime.date(2027, 3, 1)),
        if_match='"1"',
    )
    assert amended.version == 2 and amended.planned_start_on == datetime.date(2027, 3, 1), amended
    assert amended.name == made.name, amended

    stale = amend_project.sync(made.id, client=client, body=ProjectFields(note="迟了"), if_match='"1"')
    assert isinstance(stale, ProblemDetails) and stale.code == "stale_version", stale

    summary = get_summary.sync(client=client, group_by="stage")
    assert summary.total.count == sum(cell.count for cell in summary.cells), summary

    told = list_events.sync(client=client, project=made.id, wait=20)
    assert [event.subject for event in told.items][:1] == [f"project/{made.id}"], told
    print("the generated client signs in, lists, registers, amends, is refused, adds up and follows")


if __name__ == "__main__":
    main()
