from odoo.tests import tagged

from .test_rights import RightsCommon


@tagged("post_install", "-at_install")
class TestPriority(RightsCommon):
    def test_smoke(self):
        debtor = self.make_debtor("Mine")
        self.assertEqual(debtor.priority_explanation, "")
